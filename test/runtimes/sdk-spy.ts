/** Preloaded into a process: at SIGUSR2 it tells on stderr how many modules of providers' SDKs are loaded. */
process.on("SIGUSR2", () => {
  const sdk = Object.keys(require.cache).filter((path) => /node_modules\/(@aws-sdk|@smithy|googleapis)/.test(path));
  console.error(`modules of SDKs: ${sdk.length}`);
});
