/** Style of /docs. The page's policy names its hash: no other style applies. */
export const DOCS_STYLE = `
:root{color-scheme:light dark;--line:#8886;--soft:#8882;--ink:#2563eb}
body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:62rem;padding:1rem}
code,pre{font:0.9em/1.45 ui-monospace,monospace}
pre{background:var(--soft);overflow-x:auto;padding:.75rem;border-radius:.4rem}
table{border-collapse:collapse;width:100%;margin:.5rem 0}
th,td{border-bottom:1px solid var(--line);padding:.3rem .5rem .3rem 0;text-align:left;vertical-align:top}
nav ul{columns:2 18rem;list-style:none;padding:0}
a{color:var(--ink)}
article{border-top:2px solid var(--line);margin-top:2rem;padding-top:.5rem}
h3 b,nav b{color:var(--ink);font-weight:600}
h4{margin:1rem 0 .25rem}
.problem{margin:.25rem 0}
small,i{opacity:.7}
`;
