"""Does this server really do what its model API's documentation says?

`conformance` judges, `mock_server` stands in for a server; both are folders at the top of the repository,
and links lead to them from here, so that what is installed has this one name.
"""
