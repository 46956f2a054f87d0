// Shows /openapi.json. The Swagger UI at hand reads OpenAPI 3.0, the description is 3.1: where they differ here is how
// a value says that it may be null.
function asOpenApi30(node) {
  if (Array.isArray(node)) return node.map(asOpenApi30);
  if (node === null || typeof node !== "object") return node;
  const copy = Object.fromEntries(Object.entries(node).map(([name, value]) => [name, asOpenApi30(value)]));
  delete copy.pattern; // "no control characters" makes examples that nobody can read
  if (!Array.isArray(copy.anyOf)) return copy;
  const { anyOf, default: _default, ...rest } = copy;
  const kinds = anyOf.filter((kind) => kind.type !== "null");
  if (kinds.length === anyOf.length) return copy;
  return kinds.length === 1 ? { ...rest, ...kinds[0], nullable: true } : { ...rest, anyOf: kinds, nullable: true };
}

fetch("/openapi.json")
  .then((answer) => answer.json())
  .then((description) =>
    SwaggerUIBundle({
      spec: { ...asOpenApi30(description), openapi: "3.0.3" },
      dom_id: "#docs",
      deepLinking: true,
      defaultModelsExpandDepth: 0,
      validatorUrl: null, // it would send the description to a stranger
    }),
  );
