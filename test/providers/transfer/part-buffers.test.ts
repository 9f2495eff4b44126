import { expect, test } from "bun:test";
import { PartBuffers } from "../../../src/providers/transfer/part-buffers.ts";

test("memory that was given back serves a content of another size, and never one that is larger", () => {
  const buffers = new PartBuffers(2, 100);
  const first = buffers.take(30);
  buffers.giveBack(first);
  const second = buffers.take(80);
  expect(second.buffer).toBe(first.buffer);
  expect(second).toHaveLength(80);
  buffers.giveBack(second);
  expect(buffers.take(101).buffer).not.toBe(first.buffer);
});

test("two that are in use do not share memory", () => {
  const buffers = new PartBuffers(2);
  buffers.giveBack(buffers.take(10));
  expect(buffers.take(10).buffer).not.toBe(buffers.take(10).buffer);
});

test("no more is kept than was asked for", () => {
  const buffers = new PartBuffers(1);
  const [first, second] = [buffers.take(10), buffers.take(10)];
  buffers.giveBack(first);
  buffers.giveBack(second);
  expect(buffers.take(10).buffer).toBe(first.buffer);
  expect(buffers.take(10).buffer).not.toBe(second.buffer);
});
