/** The peer: Bun.serve answering the JSON of a health answer, and nothing else. */
const health = {
  status: "ok",
  version: "0.1.0",
  uptime_s: 1,
  features: {
    enable_cloud_sync: true,
    enable_cloud_sync_s3: true,
    enable_cloud_sync_gdrive: true,
    enable_cloud_sync_local: true,
  },
  vault: { present: true, unlocked: true },
};
const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => Response.json(health) });
console.log(`listening on http://127.0.0.1:${server.port}`);
