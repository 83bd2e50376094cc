"""The connector of the models that are measured, and the path below which they are."""

ML = "/_plugins/_ml"
CONNECTOR = {
    "name": "c",
    "version": 1,
    "protocol": "http",
    "credential": {"k": "v"},
    "actions": [{"action_type": "predict", "method": "POST", "url": "http://h/", "request_body": "{}"}],
}
