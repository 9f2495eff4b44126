import { describe, expect, test } from "bun:test";
import { readXml, rootOf } from "../../../src/providers/s3/xml.ts";

describe("a document is refused when it", () => {
  for (const [name, text] of [
    ["is empty", ""],
    ["is no XML", "nothing"],
    ["is HTML", "<html><body>R</body></html>"],
    ["is cut short", "<R><A>1</A>"],
    ["is cut short in its last tag", "<R><A>1</A></R"],
    ["goes on after its end", "<R></R>more"],
    ["has the element only inside", "<Other><R><A>1</A></R></Other>"],
    ["has a longer name", "<Result></Result>"],
  ] as const) {
    test(name, () => expect(() => readXml(text, "R")).toThrow("not one of S3"));
  }
});

test("declaration, namespace, attributes and blanks around do not hide the root", () => {
  expect(rootOf('<?xml version="1.0" encoding="UTF-8"?>\n\n \n<R xmlns="http://s3/">x</R>\n')).toBe("R");
  expect(rootOf("<R/>")).toBe("R");
  expect(readXml('<R a="b"/>', "R").text("A")).toBeUndefined();
});

test("an element is not taken for one whose name begins the same", () => {
  const xml = readXml("<R><KeyCount>1</KeyCount><Key>right</Key></R>", "R");
  expect(xml.text("Key")).toBe("right");
});

test("text comes with its entities replaced once, and blanks kept", () => {
  const xml = readXml("<R><A> &amp;lt; &lt;&#x1F600;&#233;&quot;&unknown;&#x7fffffff; </A><B></B><C/></R>", "R");
  expect(xml.text("A")).toBe(' &lt; <\u{1f600}é"&unknown;&#x7fffffff; ');
  expect(xml.text("B")).toBe("");
  expect(xml.text("C")).toBe("");
});

test("every element of a list is given, and an unfinished one ends it", () => {
  const xml = readXml("<R><E><K>1</K></E><E/><E><K>2</K></E><E><K>3</K></R>", "R");
  expect([...xml.all("E")].map((entry) => entry.text("K"))).toEqual(["1", undefined, "2"]);
});
