/** `a,b` as a list; an empty text counts as absent. */
export function listOf(text: string | undefined): readonly string[] | undefined {
  const items = text?.split(",").filter((item) => item !== "") ?? [];
  return items.length === 0 ? undefined : items;
}
