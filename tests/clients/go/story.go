// The story of a model, told by opensearch-go.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/opensearch-project/opensearch-go/v4"
)

const ml = "/_plugins/_ml"

type object = map[string]any

type story struct {
	client    *opensearch.Client
	connector json.RawMessage
	pipeline  json.RawMessage
}

func main() {
	var script struct{ Connector, Pipeline json.RawMessage }
	text, err := os.ReadFile(os.Args[2])
	check(err)
	check(json.Unmarshal(text, &script))
	client, err := opensearch.NewClient(opensearch.Config{
		Addresses: []string{os.Args[1]}, CompressRequestBody: true,
	})
	check(err)
	s := story{client, script.Connector, script.Pipeline}
	status, reason := s.refused("GET", ml+"/models/none")
	check(json.NewEncoder(os.Stdout).Encode(object{
		"life":         s.life(),
		"safe_delete":  s.safeDelete(),
		"time_to_live": s.timeToLive(),
		"error":        []any{status, reason},
	}))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func (s story) send(method, path string, body any) (int, object) {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		check(err)
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequest(method, path, content)
	check(err)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	answer, err := s.client.Perform(request)
	check(err)
	defer answer.Body.Close()
	var value object
	check(json.NewDecoder(answer.Body).Decode(&value))
	return answer.StatusCode, value
}

func (s story) ask(method, path string, body any) object {
	status, value := s.send(method, path, body)
	if status >= 300 {
		check(fmt.Errorf("%s %s: %d %v", method, path, status, value))
	}
	return value
}

func (s story) refused(method, path string) (int, any) {
	status, value := s.send(method, path, nil)
	return status, value["error"].(object)["reason"]
}

func (s story) until(model, wanted string) any {
	var state any
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end) && state != wanted; {
		state = s.ask("GET", ml+"/models/"+model, nil)["model_state"]
	}
	return state
}

func (s story) register(members object) string {
	made := s.ask("POST", ml+"/connectors/_create", s.connector)
	body := object{"name": "m", "function_name": "remote", "connector_id": made["connector_id"]}
	for name, value := range members {
		body[name] = value
	}
	return s.ask("POST", ml+"/models/_register", body)["model_id"].(string)
}

func (s story) life() []any {
	model := s.register(nil)
	s.ask("POST", ml+"/models/"+model+"/_deploy", nil)
	reached := s.until(model, "DEPLOYED")
	answer := s.ask("POST", ml+"/models/"+model+"/_predict", object{"parameters": object{"q": "hello"}})
	s.ask("POST", ml+"/models/"+model+"/_undeploy", nil)
	result := answer["inference_results"].([]any)[0].(object)
	return []any{reached, result["status_code"], s.ask("DELETE", ml+"/models/"+model, nil)["result"]}
}

func (s story) safeDelete() []any {
	s.ask("PUT", "/_cluster/settings", object{"persistent": object{"plugins.ml_commons.safe_delete_model": true}})
	model := s.register(nil)
	s.ask("PUT", "/_ingest/pipeline/p", json.RawMessage(strings.ReplaceAll(string(s.pipeline), "MODEL", model)))
	status, reason := s.refused("DELETE", ml+"/models/"+model)
	s.ask("DELETE", "/_ingest/pipeline/p", nil)
	return []any{status, reason, s.ask("DELETE", ml+"/models/"+model, nil)["result"]}
}

func (s story) timeToLive() any {
	model := s.register(object{"deploy_setting": object{"model_ttl_minutes": 1}})
	s.ask("POST", ml+"/models/"+model+"/_deploy", nil)
	s.until(model, "DEPLOYED")
	s.ask("POST", "/_mock/clock", object{"advance": 120})
	return s.until(model, "UNDEPLOYED")
}
