//! The wires the program speaks, and a server's answers on each.

use serde_json::{Value, json};

/// A planner, the variables that lead it to a server, and the protocol it speaks.
pub struct Route {
    pub planner: &'static str,
    pub key: &'static str,
    pub base: &'static str,
    pub path: &'static str,
    pub protocol: &'static str,
}

pub const ROUTES: [Route; 3] = [
    Route {
        planner: "anthropic/claude-opus-5-5",
        key: "ANTHROPIC_API_KEY",
        base: "ANTHROPIC_BASE_URL",
        path: "",
        protocol: "anthropic-messages",
    },
    Route {
        planner: "openai/gpt-6.1-sol",
        key: "OPENAI_API_KEY",
        base: "OPENAI_BASE_URL",
        path: "/v1",
        protocol: "openai-responses",
    },
    Route {
        planner: "vllm/some-model",
        key: "VLLM_API_KEY",
        base: "VLLM_BASE_URL",
        path: "/v1",
        protocol: "openai-chat",
    },
];

/// The first answer of a conversation calls two tools, one of them wrongly; the next one is the answer.
pub fn answer(protocol: &str, request: &Value) -> (u16, Value) {
    let text = request.to_string();
    let is_first = !text.contains("call-1");
    let calls = [
        ("call-1", "read", json!({"path": "src/orders.ts", "start_line": null, "end_line": null})),
        ("call-2", "read", json!({"path": "nowhere.ts", "start_line": null, "end_line": null})),
    ];
    let is_lens = text.contains("\"findings\"") && !text.contains("\"verdicts\"");
    let said = if is_lens { json!({"findings": []}) } else { json!({"verdicts": []}) }.to_string();
    let body = match protocol {
        "anthropic-messages" => {
            let content: Vec<Value> = if is_first {
                calls
                    .iter()
                    .map(|(id, name, input)| json!({"type": "tool_use", "id": id, "name": name, "input": input}))
                    .collect()
            } else {
                vec![json!({"type": "text", "text": said})]
            };
            let stop = if is_first { "tool_use" } else { "end_turn" };
            json!({"id": "m", "model": "claude-opus-5-5", "content": content, "stop_reason": stop, "usage": {"input_tokens": 10, "output_tokens": 5}})
        }
        "openai-responses" => {
            let output: Vec<Value> = if is_first {
                calls.iter().map(|(id, name, input)| json!({"type": "function_call", "id": format!("fc-{id}"), "call_id": id, "name": name, "arguments": input.to_string(), "status": "completed"})).collect()
            } else {
                vec![
                    json!({"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [{"type": "output_text", "text": said, "annotations": []}]}),
                ]
            };
            json!({"id": "r", "object": "response", "model": "gpt-6.1-sol", "status": "completed", "output": output, "usage": {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}})
        }
        _ => {
            let message = if is_first {
                let calls: Vec<Value> = calls.iter().map(|(id, name, input)| json!({"id": id, "type": "function", "function": {"name": name, "arguments": input.to_string()}})).collect();
                json!({"role": "assistant", "content": null, "tool_calls": calls})
            } else {
                json!({"role": "assistant", "content": said})
            };
            let stop = if is_first { "tool_calls" } else { "stop" };
            json!({"id": "c", "object": "chat.completion", "model": "some-model", "choices": [{"index": 0, "message": message, "finish_reason": stop}], "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}})
        }
    };
    (200, body)
}
