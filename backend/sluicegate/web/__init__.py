"""The web edge: sign-in, GraphQL over HTTP, the console's files, health."""
