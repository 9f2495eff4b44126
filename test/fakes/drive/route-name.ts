/** The methods of the API that the fake has, those with several ways to call them one name each. */
export type ApiRouteName =
  | "about.get"
  | "drives.get"
  | "files.list"
  | "files.generateIds"
  | "files.get"
  | "files.download"
  | `files.${"create" | "update"}`
  | `files.${"create" | "update"}.${"multipart" | "media" | "resumable"}`
  | "files.copy"
  | "files.delete"
  | "upload.chunk"
  | "upload.status";

export type RouteName = ApiRouteName | "token";
