"""mlconform: contract, suite and reports that judge a model server by its documentation."""
