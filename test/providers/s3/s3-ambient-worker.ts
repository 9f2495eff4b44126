/** Uses a destination in a process of its own; argument: the settings as JSON. Prints the keys it listed. */
import { bunPlatform } from "../../../src/platform/bun/bun-platform.ts";
import { openProvider } from "../../../src/providers/s3/s3-provider.ts";
import { utf8 } from "../../support/contents.ts";
import { put } from "./s3-setup.ts";

const provider = await openProvider(JSON.parse(process.argv[2] ?? "{}"), bunPlatform());
await put(provider, "small", utf8("x"));
await put(provider, "large", new Uint8Array(17 * 1024 * 1024));
await provider.copy("small", "copy", {});
const keys = await Array.fromAsync(provider.list(""), ({ key }) => key);
await provider.delete(["small"]);
console.log(keys.join(","));
