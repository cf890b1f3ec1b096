"""The GraphQL edge: types, root fields, loaders. Rules live in services; nothing here touches the database."""
