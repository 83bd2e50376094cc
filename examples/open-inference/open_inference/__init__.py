"""The Open Inference Protocol (KServe V2) with its model repository extension, as a profile of mlconform."""
