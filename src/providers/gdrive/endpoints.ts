/** Where requests go: to Google and nowhere else, whatever the credentials' `token_uri` or a request says. */
export interface DriveEndpoints {
  /** Scheme, host and port of the API and its uploads, without a slash at the end. */
  readonly origin: string;
  readonly tokenUrl: string;
}

const GOOGLE: DriveEndpoints = {
  origin: "https://www.googleapis.com",
  tokenUrl: "https://oauth2.googleapis.com/token",
};

/** What assertions are made out to, also where a test's server takes them. */
export const TOKEN_AUDIENCE = GOOGLE.tokenUrl;

/** @param testOrigin `http://127.0.0.1:PORT` of a test's own server, checked by whoever read it */
export function driveEndpoints(testOrigin: string | undefined): DriveEndpoints {
  return testOrigin === undefined ? GOOGLE : { origin: testOrigin, tokenUrl: `${testOrigin}/token` };
}
