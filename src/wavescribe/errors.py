"""The exceptions that wavescribe raises on purpose."""

from __future__ import annotations


class WavescribeError(Exception):
    """Base of every error of this package; the message is written for the person who reads it."""


class ConfigurationError(WavescribeError):
    """A setting has a wrong value; the message names the setting."""


class WeightsError(WavescribeError):
    """Model weights are missing, damaged or not the pinned ones; the message names the file and the remedy."""


class EngineError(WavescribeError):
    """The engine failed on a request that was valid."""


class EngineLostError(EngineError):
    """The engine's process died, gave no answer in time or found its device broken; its call may be made on another."""


class InvalidRequestError(WavescribeError):
    """The caller asked for something that cannot be done as asked.

    Attributes:
        code: a stable word for programs (the OpenAI API's codes where it has one), or None.
        param: the name of the field at fault, or None.
    """

    def __init__(self, message: str, *, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.param = param


class AudioFormatError(InvalidRequestError):
    """The bytes are not audio that can be decoded."""


class AudioSourceError(WavescribeError):
    """A live source of audio cannot be opened, or was lost."""


class AudioTooShortError(InvalidRequestError):
    """There is less audio than the minimum that can be transcribed."""


class AudioTooLongError(InvalidRequestError):
    """There is more audio than the configured maximum duration."""


class UploadTooLargeError(InvalidRequestError):
    """The upload has more bytes than the configured maximum."""


class ModelNotFoundError(InvalidRequestError):
    """The named model is neither installed nor served."""


class StorageError(WavescribeError):
    """The server has no room to keep what it was sent."""


class OverloadedError(WavescribeError):
    """The server is full; the same request may succeed later.

    Attributes:
        retry_after: seconds after which trying again makes sense.
    """

    def __init__(self, message: str, *, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ServerError(WavescribeError):
    """A server refused or ended a client's session; the message is the server's.

    Attributes:
        code: the server's word for programs, or None.
    """

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code


class AuthenticationError(ServerError):
    """A server did not accept the API key, or wants one."""


class SessionLostError(ServerError):
    """A live session cannot be taken up again, because the server has forgotten it or is stopping."""


class ServerUnreachableError(WavescribeError):
    """There is no connection to a server: none could be opened, or one was lost and none came back in time."""


class DrainingError(OverloadedError):
    """The server is about to stop and begins nothing new; another one, or this one started anew, will serve."""
