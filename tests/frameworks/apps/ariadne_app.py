from ariadne import QueryType, make_executable_schema
from ariadne.asgi import GraphQL

query = QueryType()


@query.field("hello")
def hello(_, info):
    return "hello"


app = GraphQL(make_executable_schema("type Query { hello: String! }", query))
