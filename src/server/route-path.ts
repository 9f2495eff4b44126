/** Whether a request for `path` is one for the route at `route`: with or without a slash at the end, as the router takes it. */
export function isRoutePath(route: string, path: string): boolean {
  return path === route || path === `${route}/`;
}
