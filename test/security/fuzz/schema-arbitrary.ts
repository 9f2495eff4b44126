import fc from "fast-check";

type Json = Readonly<Record<string, unknown>>;

/** In every text that a request makes up: an error that holds it repeats what it was sent. */
export const CANARY = "zqCanary7";

const HOSTILE_TEXTS = [
  "",
  "..",
  "../../etc/passwd",
  "%2e%2e%2f",
  "/etc/passwd",
  "C:\\windows",
  "a\0b",
  "\ud800",
  "\u{10ffff}",
  "__proto__",
  "constructor",
  "*".repeat(1_000),
  "[".repeat(1_000),
  "a/".repeat(2_100),
  "x".repeat(5_000),
  "file:///etc/passwd",
  "http://127.0.0.1:1/",
  "http://169.254.169.254/latest/meta-data/",
  "CON",
  "\r\nx-injected: 1",
];

const hostileText = fc.oneof(
  fc.constantFrom(...HOSTILE_TEXTS).map((text) => (text.length < 100 ? text + CANARY : text)),
  fc.string({ maxLength: 40 }).map((text) => CANARY + text),
  fc.string({ unit: "binary", maxLength: 40 }).map((text) => text + CANARY),
);

/** Values that fit `schema` for the most part, and sometimes anything. */
export function arbitraryOf(schema: unknown): fc.Arbitrary<unknown> {
  const fitting = isJson(schema) ? fittingArbitrary(schema) : fc.anything();
  return fc.oneof(
    { arbitrary: fitting, weight: 12 },
    { arbitrary: hostileText, weight: 1 },
    { arbitrary: fc.jsonValue({ maxDepth: 3 }), weight: 1 },
  );
}

function fittingArbitrary(schema: Json): fc.Arbitrary<unknown> {
  if ("const" in schema) return fc.constant(schema["const"]);
  const { anyOf, type, examples } = schema;
  if (Array.isArray(anyOf)) return fc.oneof(...anyOf.map((each: unknown) => arbitraryOf(each)));
  if (type === "object") return objectArbitrary(schema);
  if (type === "array") return fc.array(arbitraryOf(schema["items"]), { maxLength: 5 });
  if (type === "boolean") return fc.boolean();
  if (type === "integer") return fc.oneof(fc.integer({ min: -1, max: 51 }), fc.integer(), fc.double());
  if (type !== "string") return fc.jsonValue({ maxDepth: 2 });
  const known = Array.isArray(examples) ? examples.map(String) : [];
  return known.length === 0 ? hostileText : fc.oneof(fc.constantFrom(...known), hostileText);
}

/** Each known member or not, and now and then one that nobody knows. */
function objectArbitrary(schema: Json): fc.Arbitrary<unknown> {
  const properties = isJson(schema["properties"]) ? schema["properties"] : {};
  const required = Array.isArray(schema["required"]) ? schema["required"].map(String) : [];
  const members = Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, arbitraryOf(value)]));
  const known = fc.oneof(
    { arbitrary: fc.record(members, { requiredKeys: required }), weight: 9 },
    { arbitrary: fc.record(members, { requiredKeys: [] }), weight: 1 },
  );
  const unknown = fc.dictionary(hostileText, fc.jsonValue({ maxDepth: 1 }), { maxKeys: 2, noNullPrototype: true });
  const keyed = isJson(schema["patternProperties"]) ? 3 : 1;
  return fc
    .tuple(known, fc.oneof({ arbitrary: fc.constant({}), weight: 10 }, { arbitrary: unknown, weight: keyed }))
    .map(([value, more]) => ({ ...more, ...value }));
}

function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
