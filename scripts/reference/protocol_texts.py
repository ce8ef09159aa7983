"""What the protocol reference says in words; the pages see to it that nothing served is left without them."""

from __future__ import annotations

INTRODUCTION = """# Protocol reference

Made by `make reference` from the code that speaks these protocols; a test fails when this page is out of date. The
examples are what the server's own translators write, with short ids.

The HTTP API's forms and answers are the OpenAI API's: see [OpenAI SDKs](openai-sdks.md).

In the tables of members the type `null` says that the member may be null. Those that may be left out are not marked.
"""

FORM = """## The form of files

`/v1/audio/transcriptions` and `/v1/audio/translations` take the OpenAI API's form. Fields that are not known are
ignored. These are taken and checked, and have no effect:
"""

FORM_WITHOUT_EFFECT = {
    "`chunking_strategy`": "files are always split at pauses of speech",
    "`include[]=logprobs`": "no answer has log probabilities",
    "`languages[]`, more than one": "the language is detected among all",
    "`timestamp_granularities[]`": "only `verbose_json` and `stream=true` have times",
    "`temperature` with `stream=true`, or with Qwen3-ASR": "these decode without chance",
    "`strategy`, `delay` without `stream=true`": "they are of streams",
}

HTTP_ERRORS = """
## HTTP errors

`{"error": {"message", "type", "param", "code"}}`, all four always there. What refuses a WebSocket (401, 403)
comes in place of the upgrade.
"""

ROUTES = {
    "/": "the page of live captions; its files are under `/web/`",
    "/health": "the server lives",
    "/ready": "whether it should get work: 200, or 503 with the reason",
    "/metrics": "[metrics](operations.md#watching) for Prometheus",
    "/v1/models": "the served model",
    "/v1/models/{name}": "one model, by its name or a name that stock clients have for it",
    "/v1/audio/transcriptions": "a file to text; with `stream=true` [server-sent events](#server-sent-events)",
    "/v1/audio/translations": "a file to English text",
    "/v1/audio/transcriptions/stream": "[the simple stream](#the-simple-stream)",
    "/v1/realtime": "[the realtime session](#the-realtime-session)",
    "/v1/realtime/client_secrets": "an ephemeral key for a browser, bound to a session's configuration",
    "/v1/realtime/transcription_sessions": "the same, as OpenAI's beta had it",
    "/realtime": "the same as `/v1/realtime`",
    "/api-ws/v1/realtime": "the realtime session for DashScope's clients",
}

REALTIME = """## The realtime session

A WebSocket at `/v1/realtime` carries JSON text frames: OpenAI's transcription session. Where keys are wanted, one comes
in the header `Authorization: Bearer KEY`, or, from a browser, as the subprotocol `openai-insecure-api-key.KEY` beside
`realtime`.

| query | meaning |
| --- | --- |
| `intent=transcription` | as OpenAI's clients send it; every session here transcribes |
| `model=NAME` | the served model's name, or one that stock clients have for it |
| `resume=true` | the session outlives a lost connection for `--resume-seconds` |
| `session_id=sess_...` | take up a session that was opened so; `session.resumed` is the answer |
| `after=event_...` | with `session_id`: the last event that came; those after it are sent again |
"""

CLIENT_EVENTS = {
    "session.update": "Change [the configuration](#the-configuration). What is not mentioned stays.",
    "transcription_session.update": "The same in the shape of OpenAI's beta.",
    "input_audio_buffer.append": "Audio: `audio`, base64 in the session's format, at most 15 MiB before base64.",
    "input_audio_buffer.commit": "End the turn here. At least 100 ms of audio must have come since the last end.",
    "input_audio_buffer.clear": "Drop the audio since the last end.",
    "conversation.item.create": (
        "`item`: text, which has no effect, or audio, transcribed as a turn of its own: `turn_detection` must be null "
        "and nothing appended since the last end."
    ),
    "conversation.item.retrieve": "Ask for the item `item_id`; a turn's has its transcript.",
    "conversation.item.delete": "Forget the item `item_id`.",
}

INCLUDE = {
    "DRAFT": "`conversation.item.input_audio_transcription.text`: text that may still change (an extension)",
    "WORDS": "`words` with their times in `delta` and `completed` (an extension)",
    "LOGPROBS": "`logprobs` in `delta` and `completed`",
}

_TRANSCRIPTION = "conversation.item.input_audio_transcription"

SERVER_EVENTS = {
    "session.created": "The first event of a new session.",
    "session.updated": "The answer to `session.update`: the whole configuration.",
    "session.resumed": "The first event of a connection that takes up a session (an extension). Audio after "
    "`audio_received_ms` has to be sent again.",
    "input_audio_buffer.speech_started": "Speech was detected; milliseconds since the session's start.",
    "input_audio_buffer.speech_stopped": "Enough silence was detected to end the turn.",
    "input_audio_buffer.committed": "A turn has ended; its text follows under `item_id`.",
    "input_audio_buffer.cleared": "Audio was dropped.",
    "conversation.item.added": "The item of a turn that has ended, or of `conversation.item.create`.",
    "conversation.item.done": "The same item; nothing more will be added to it but its transcript.",
    "conversation.item.retrieved": "The item that was asked for.",
    "conversation.item.deleted": "The item is forgotten.",
    f"{_TRANSCRIPTION}.delta": "Settled text. It never changes; the join of a turn's deltas is its transcript. "
    "`words` (seconds since the session's start) and `logprobs` are there where `include` asks for them.",
    f"{_TRANSCRIPTION}.text": "Where `include` asks for drafts (an extension): `text` has settled in this turn, "
    "`stash` may still change. The next one, or the next `delta`, replaces `stash`.",
    f"{_TRANSCRIPTION}.completed": 'The turn\'s whole transcript, `""` where nothing was said. An event that '
    "`words` or `logprobs` would make larger than a million bytes comes without them.",
    f"{_TRANSCRIPTION}.failed": "The turn could not be transcribed. The session goes on.",
    "error": "A client's event was refused, or the session ends. `event_id` in it is the client's own.",
}

ERROR_CODES = {
    "draining": "the server is about to stop; close 1012",
    "event_not_found": "what came after `after` is no longer in memory; close 4000",
    "inference_failed": "in `failed`: the model failed on the turn",
    "session_ended": "in `failed`: the session ended before the turn was transcribed",
    "input_audio_buffer_commit_empty": "less than 100 ms to commit",
    "input_audio_buffer_overflow": "more than `--max-buffer-seconds` waits to be decoded; close 1009",
    "internal_error": "the server's fault; close 1011",
    "invalid_event": "a frame that is no JSON object with a `type`",
    "invalid_type": "a member of another JSON type",
    "invalid_value": "a value that is not allowed; `param` names it",
    "item_…_invalid_item_id": "no such item to `retrieve` or `delete`",
    "missing_required_parameter": "`param` is missing",
    "model_not_found": "the model is not served here; close 4000 where the query names it",
    "not_supported": "an event that makes no sense in a transcription session",
    "session_expired": "`--max-session-seconds` or `--idle-seconds` is over; close 1001",
    "session_not_found": "no session of that id waits; close 4000",
    "too_many_sessions": "the server is full; close 1013",
}

STYLES = """### SGLang's style, and the beta's

With `--compat sglang` `/v1/realtime` answers as SGLang's endpoint does:

{differences}

An ephemeral key's session has the turn detection that the key was made with.

A client of OpenAI's beta sends `transcription_session.update`, in the beta's flat shape, and is answered with
`transcription_session.updated`; from there on its items come as `conversation.item.created`.
"""

SGLANG = {
    "turns are detected unless the client says otherwise": "turn detection is off unless the client asks for it",
    "a `model` in the query has to be served": "any is taken for the served one, but in `session.update`",
    "`conversation.item.added`, then `conversation.item.done`": "`conversation.item.created`",
    "error code `invalid_value` for an unknown `type`": "`unknown_event`",
}

DASHSCOPE = """## DashScope's protocol

A WebSocket at `/api-ws/v1/realtime` speaks Qwen-ASR-Realtime, as DashScope's clients do: JSON text frames, and the
keys, limits, errors, `model` and resuming of [the realtime session](#the-realtime-session).
"""

DASHSCOPE_CLIENT_EVENTS = {
    "session.update": "Change the `session`, below. What is not mentioned stays; a section that is, is replaced whole.",
    "input_audio_buffer.append": "Audio: `audio`, base64 in the session's format.",
    "input_audio_buffer.commit": "End the turn here, of 100 ms or more. With `turn_detection` it is the error "
    "`invalid_state`.",
    "input_audio_buffer.clear": "Drop the audio since the last end.",
    "session.finish": "End the session: what was not committed is transcribed, then the connection is closed (1000).",
}

DASHSCOPE_DETECTION = {
    "type": "the only one",
    "threshold": "-1 is a speech probability of 0, 0.2 is 0.5, and 1 is 0.83",
    "silence_duration_ms": "silence that ends the turn",
    "prefix_padding_ms": "audio before the speech that belongs to the turn",
}

DASHSCOPE_SERVER_EVENTS = {
    "session.created": "at the beginning",
    "session.updated": "the answer to `session.update`",
    "input_audio_buffer.speech_started": "speech was detected, at `audio_start_ms`",
    "input_audio_buffer.speech_stopped": "enough silence was, at `audio_end_ms`",
    "input_audio_buffer.committed": "a turn has ended",
    "input_audio_buffer.cleared": "audio was dropped",
    "conversation.item.created": "the item of a turn that has ended",
    f"{_TRANSCRIPTION}.text": "always, drafts need not be asked for: `text` has settled in this turn, `stash` may "
    "still change; `language`, and an `emotion` that is always `neutral`",
    f"{_TRANSCRIPTION}.completed": "the turn's `transcript`, with the same two",
    f"{_TRANSCRIPTION}.failed": "the turn could not be transcribed",
    "session.finished": "everything is transcribed after `session.finish`",
    "error": "a client's event was refused, or the session ends",
}

STREAM = """## The simple stream

A WebSocket at `/v1/audio/transcriptions/stream`: one turn, from `session.start` to `session.end`. Audio comes in binary
frames of any length: 16-bit little-endian PCM, 16 kHz, mono.

| client sends | members |
| --- | --- |
| `session.start` | `model`, `language` ({language}), `audio_format` (only `pcm16_16k_mono`), {extensions} |
| binary frames | audio |
| `session.end` | none: what was said is transcribed to its end, then the connection is closed |
"""

STREAM_LANGUAGE = "code, tag or English name; else detected"

STREAM_EVENTS = {
    "session.started": "The server is ready for audio.",
    "transcript.delta": "One settled word, without the space before it.",
    "transcript.final": "The whole text, after `session.end`.",
    "error": "What was wrong. The connection stays open after `invalid_json`, `invalid_payload`, `invalid_state`, "
    "`invalid_audio_format` and `unknown_message`, but for `invalid_state` of a `session.end` before `session.start` "
    "(1000). It is closed after `unsupported_model` (1000), `idle_timeout` (1001), `session_expired` (1001, when what "
    "was said is transcribed), `buffer_overflow` (1009), `internal_error` (1011), `draining` (1012: the server is "
    "about to stop) and `too_many_sessions` (1013). A client that takes nothing for 60 s, or sends more than "
    "`--max-message-bytes` at once, is closed with 1009 and no error.",
}

SSE = """## Server-sent events

`POST /v1/audio/transcriptions` with the form field `stream=true` answers with server-sent events while the file is
transcribed. After 15 s without text a comment line keeps the connection open.

The form field `stream_format` (or `--stream-format`) chooses between `events`, the OpenAI API's form, and `chunks`,
that of SGLang and vLLM.
"""
