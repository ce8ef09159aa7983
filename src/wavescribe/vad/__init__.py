"""Speech probability and the endpointer, frame by frame on the audio clock."""
