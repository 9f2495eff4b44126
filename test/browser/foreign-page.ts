/** Every way a page has to reach another origin, as one script. It tells the page's own server what each came to. */
export function foreignPage(target: string, wsTarget: string): string {
  return `<!doctype html><meta charset="utf-8"><title>foreign</title>
<iframe name="sink"></iframe>
<form id="form" method="post" enctype="text/plain" target="sink" action="${target}/api/backup/create"><input name='{"label":"form","x":"' value='"}'></form>
<form id="urlencoded" method="post" target="sink" action="${target}/api/backup/create"><input name="label" value="form"></form>
<form id="multipart" method="post" enctype="multipart/form-data" target="sink" action="${target}/api/backup/create"><input name="label" value="form"></form>
<script type="module">
const target = ${JSON.stringify(target)};
const body = '{"label":"fetched"}';
const tried = {};
const attempt = async (name, run) => {
  try { tried[name] = String(await run()); } catch (error) { tried[name] = "blocked: " + error.name; }
};
const post = (init) => fetch(target + "/api/backup/create", { method: "POST", body, ...init }).then((r) => r.type + " " + r.status);
await attempt("fetch json", () => post({ headers: { "content-type": "application/json" } }));
await attempt("fetch text", () => post({ headers: { "content-type": "text/plain; jx=1" } }));
await attempt("fetch no-cors", () => post({ mode: "no-cors", headers: { "content-type": "text/plain; jx=1" } }));
await attempt("fetch no-cors json", () => post({ mode: "no-cors", headers: { "content-type": "application/json" } }));
await attempt("fetch no-cors blob", () => fetch(target + "/api/backup/create", { method: "POST", mode: "no-cors", body: new Blob([body], { type: "text/plain" }) }).then((r) => r.type));
await attempt("beacon", () => navigator.sendBeacon(target + "/api/backup/create", new Blob([body], { type: "text/plain" })));
await attempt("keepalive run", () => fetch(target + "/api/sync/run", { method: "POST", mode: "no-cors", keepalive: true, body: '{"service":"local"}' }).then((r) => r.type));
await attempt("delete", () => fetch(target + "/api/modder/hooks/webhooks", { method: "DELETE", body: "{}" }).then((r) => r.type));
await attempt("read health", () => fetch(target + "/api/health").then((r) => r.text()));
await attempt("read manifest", () => fetch(target + "/api/sync/manifest").then((r) => r.text()));
await attempt("script", () => new Promise((yes, no) => { const s = document.createElement("script"); s.onload = () => yes("loaded"); s.onerror = () => no(new Error("refused")); s.src = target + "/api/health"; document.body.append(s); }));
await attempt("image", () => new Promise((yes, no) => { const i = new Image(); i.onload = () => yes("loaded"); i.onerror = () => no(new Error("refused")); i.src = target + "/api/sync/manifest"; }));
await attempt("websocket", () => new Promise((yes, no) => { const w = new WebSocket(${JSON.stringify(wsTarget)} + "/api/modder/hooks/ws"); w.onopen = () => { w.send("{}"); }; w.onmessage = (e) => yes(e.data); w.onerror = () => no(new Error("refused")); }));
await attempt("events", () => new Promise((yes, no) => { const e = new EventSource(target + "/api/modder/hooks/stream"); e.onopen = () => yes("open"); e.onerror = () => { e.close(); no(new Error("refused")); }; }));
for (const id of ["form", "urlencoded", "multipart"]) {
  await attempt("form " + id, () => new Promise((yes) => { document.querySelector("iframe").onload = () => yes("sent"); document.getElementById(id).submit(); setTimeout(() => yes("sent, no answer"), 3000); }));
}
window.tried = tried;
</script>`;
}
