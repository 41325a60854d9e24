"""Holds requests against the types of the vendors' own Python SDKs.

Reads lines of {"protocol": ..., "body": ...}; prints what is wrong, a line each, and ends with 1 if anything is. What a type does not
name is wrong too: the services refuse it.
"""

import json
import sys
import typing

import pydantic
import typing_extensions
from anthropic.types.messages.batch_create_params import BatchCreateParams as MessageBatch
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming, MessageCreateParamsStreaming
from openai.types.batch_create_params import BatchCreateParams as FileBatch
from openai.types.chat import completion_create_params as chat
from openai.types.file_create_params import ExpiresAfter
from openai.types.file_purpose import FilePurpose
from openai.types.responses import response_create_params as responses


class Upload(typing_extensions.TypedDict):
    """The form of an upload beside its file; the SDK's own type holds a file that is open."""

    purpose: FilePurpose
    expires_after: ExpiresAfter


class Line(typing_extensions.TypedDict):
    """A line of a file of questions, for which the SDK has no type; the form is from OpenAI's guide to the Batch API."""

    custom_id: str
    method: typing.Literal["POST"]
    url: typing.Literal["/v1/responses"]
    body: responses.ResponseCreateParamsNonStreaming


TYPES = {
    "anthropic-messages": (MessageCreateParamsNonStreaming, MessageCreateParamsStreaming),
    "openai-responses": (responses.ResponseCreateParamsNonStreaming, responses.ResponseCreateParamsStreaming),
    "anthropic-batch": (MessageBatch,),
    "openai-batch": (FileBatch,),
    "openai-batch-upload": (Upload,),
    "openai-batch-line": (Line,),
    "openai-chat": (chat.CompletionCreateParamsNonStreaming, chat.CompletionCreateParamsStreaming),
}
ADAPTERS = {
    protocol: [pydantic.TypeAdapter(type_) for type_ in types] for protocol, types in TYPES.items()
}


def walked(value: typing.Any) -> typing.Any:
    """Iterables of the SDKs' types are validated as they are walked: this walks them."""
    if isinstance(value, dict):
        return {key: walked(item) for key, item in value.items()}
    if isinstance(value, (str, bytes, int, float, bool)) or value is None:
        return value
    return [walked(item) for item in value]


def lost(sent: typing.Any, read: typing.Any, place: str = "body") -> typing.Iterator[str]:
    """What the type did not take over: fields it does not know."""
    if isinstance(sent, dict) and isinstance(read, dict):
        for key, value in sent.items():
            if key not in read:
                yield f"{place}.{key}: unknown to the type"
            else:
                yield from lost(value, read[key], f"{place}.{key}")
    elif isinstance(sent, list) and isinstance(read, list):
        for at, (one, other) in enumerate(zip(sent, read)):
            yield from lost(one, other, f"{place}[{at}]")


def parts(protocol: str, body: dict) -> typing.Iterator[tuple[str, dict]]:
    """What there is a type for: a file of questions is a form and lines."""
    if protocol != "openai-batch-file":
        yield protocol, body
        return
    form: dict = {}
    for name, value in body["fields"].items():
        outer, _, inner = name.rstrip("]").partition("[")
        if inner:
            form.setdefault(outer, {})[inner] = int(value) if value.isdigit() else value
        else:
            form[outer] = value
    yield "openai-batch-upload", form
    for line in body["lines"]:
        yield "openai-batch-line", line


def problems(protocol: str, body: dict) -> list[str]:
    adapter = ADAPTERS[protocol][bool(body.get("stream"))]
    try:
        read = walked(adapter.validate_python(body))
    except pydantic.ValidationError as error:
        return [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()[:5]]
    return list(lost(body, read))


def main() -> int:
    wrong = 0
    for number, line in enumerate(sys.stdin, 1):
        entry = json.loads(line)
        for protocol, body in parts(entry["protocol"], entry["body"]):
            for problem in problems(protocol, body):
                wrong += 1
                print(f"request {number} ({protocol}): {problem}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
