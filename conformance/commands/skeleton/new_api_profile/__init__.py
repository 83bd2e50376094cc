"""new-api, as a profile of mlconform."""
