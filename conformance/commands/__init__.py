"""One module a subcommand, each with a `command`; the command line imports only the one that is called."""

PROFILE_HELP = "opensearch-ml, nugen or all"
DOCS_VERSION_HELP = "documentation version  [default: the one that is meant where none is named]"
