import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.hc.core5.http.HttpHost;
import org.opensearch.client.opensearch.OpenSearchClient;
import org.opensearch.client.opensearch.generic.Requests;
import org.opensearch.client.transport.httpclient5.ApacheHttpClient5TransportBuilder;
import org.opensearch.client.transport.httpclient5.ResponseException;

/** The story of a model, told by opensearch-java, or by the JDK's own client with its defaults. */
public final class Story {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String ML = "/_plugins/_ml";

    private record Answer(int status, JsonNode body) {}

    private interface Sender {
        Answer send(String method, String path, String body) throws Exception;
    }

    private final Sender sender;
    private final JsonNode script;

    private Story(Sender sender, JsonNode script) {
        this.sender = sender;
        this.script = script;
    }

    public static void main(String[] args) throws Exception {
        JsonNode script = JSON.readTree(Path.of(args[1]).toFile());
        Story story = new Story(args[2].equals("jdk") ? jdk(args[0]) : opensearch(args[0]), script);
        Map<String, Object> told = Map.of(
                "life", story.life(),
                "safe_delete", story.safeDelete(),
                "time_to_live", story.timeToLive(),
                "error", story.refused("GET", ML + "/models/none"));
        System.out.println(JSON.writeValueAsString(told));
        System.exit(0);
    }

    private static Sender jdk(String url) {
        HttpClient client = HttpClient.newHttpClient();
        return (method, path, body) -> {
            HttpRequest request = HttpRequest.newBuilder(URI.create(url + path))
                    .header("Content-Type", "application/json")
                    .method(method, body == null
                            ? HttpRequest.BodyPublishers.noBody()
                            : HttpRequest.BodyPublishers.ofString(body))
                    .build();
            HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
            return new Answer(answer.statusCode(), JSON.readTree(answer.body()));
        };
    }

    private static Sender opensearch(String url) throws Exception {
        OpenSearchClient client = new OpenSearchClient(
                ApacheHttpClient5TransportBuilder.builder(HttpHost.create(url))
                        .setCompressionEnabled(true)
                        .build());
        return (method, path, body) -> {
            var request = Requests.builder().method(method).endpoint(path);
            try (var answer = client.generic()
                    .execute(body == null ? request.build() : request.json(body).build())) {
                JsonNode value = JSON.readTree(answer.getBody().orElseThrow().bodyAsBytes());
                return new Answer(answer.getStatus(), value);
            } catch (ResponseException refusal) {
                // The body of a refusal is told in the message alone, below its first line.
                String message = refusal.getMessage();
                return new Answer(refusal.status(), JSON.readTree(message.substring(message.indexOf('\n'))));
            }
        };
    }

    private JsonNode ask(String method, String path, Object body) throws Exception {
        Answer answer = sender.send(method, path, body == null ? null : JSON.writeValueAsString(body));
        if (answer.status >= 300) {
            throw new IOException(method + " " + path + ": " + answer);
        }
        return answer.body;
    }

    private List<Object> refused(String method, String path) throws Exception {
        Answer answer = sender.send(method, path, null);
        return List.of(answer.status, answer.body.at("/error/reason").asText());
    }

    private String until(String model, String wanted) throws Exception {
        String state = "";
        for (long end = System.nanoTime() + 10_000_000_000L; System.nanoTime() < end && !state.equals(wanted);) {
            state = ask("GET", ML + "/models/" + model, null).get("model_state").asText();
        }
        return state;
    }

    private String register(Map<String, Object> members) throws Exception {
        JsonNode made = ask("POST", ML + "/connectors/_create", script.get("connector"));
        var body = new java.util.HashMap<String, Object>(members);
        body.put("name", "m");
        body.put("function_name", "remote");
        body.put("connector_id", made.get("connector_id"));
        return ask("POST", ML + "/models/_register", body).get("model_id").asText();
    }

    private List<Object> life() throws Exception {
        String model = ML + "/models/" + register(Map.of());
        ask("POST", model + "/_deploy", null);
        String reached = until(model.substring(model.lastIndexOf('/') + 1), "DEPLOYED");
        JsonNode answer = ask("POST", model + "/_predict", Map.of("parameters", Map.of("q", "hello")));
        ask("POST", model + "/_undeploy", null);
        String result = ask("DELETE", model, null).get("result").asText();
        return List.of(reached, answer.at("/inference_results/0/status_code").asInt(), result);
    }

    private List<Object> safeDelete() throws Exception {
        ask("PUT", "/_cluster/settings", Map.of("persistent", Map.of("plugins.ml_commons.safe_delete_model", true)));
        String model = register(Map.of());
        String pipeline = script.get("pipeline").toString().replace("MODEL", model);
        ask("PUT", "/_ingest/pipeline/p", JSON.readTree(pipeline));
        List<Object> answer = refused("DELETE", ML + "/models/" + model);
        ask("DELETE", "/_ingest/pipeline/p", null);
        String result = ask("DELETE", ML + "/models/" + model, null).get("result").asText();
        return List.of(answer.get(0), answer.get(1), result);
    }

    private String timeToLive() throws Exception {
        String model = register(Map.of("deploy_setting", Map.of("model_ttl_minutes", 1)));
        ask("POST", ML + "/models/" + model + "/_deploy", null);
        until(model, "DEPLOYED");
        ask("POST", "/_mock/clock", Map.of("advance", 120));
        return until(model, "UNDEPLOYED");
    }
}
