"""Transcripts as files and answers: the OpenAI API's formats, and subtitles."""
