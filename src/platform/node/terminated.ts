/** Resolves at the first SIGTERM or SIGINT. A second one finds the default action again and ends the process at once. */
export function terminated(): Promise<void> {
  return new Promise((resolve) => {
    const stop = () => {
      process.off("SIGTERM", stop);
      process.off("SIGINT", stop);
      resolve();
    };
    process.on("SIGTERM", stop);
    process.on("SIGINT", stop);
  });
}
