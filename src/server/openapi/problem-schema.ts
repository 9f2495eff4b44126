import Type from "typebox";
import { ERROR_CODES } from "../../core/errors.ts";

/** RFC 9457, with the members that some codes add. */
export const ProblemSchema = Type.Object({
  type: Type.String({ description: "urn:comfyvn:problem:<code>" }),
  title: Type.String({ description: "The status in words" }),
  status: Type.Integer({ minimum: 400, maximum: 599 }),
  detail: Type.String({ description: "What happened and what to do; never a value of the request" }),
  code: Type.String({ enum: [...ERROR_CODES], description: "Stable; tools may switch on it" }),
  flag: Type.Optional(Type.String({ description: "feature_disabled: the flag that is off" })),
  deletes: Type.Optional(Type.Integer({ description: "delete_guard: files that would be deleted" })),
  remote_in_scope: Type.Optional(Type.Integer({ description: "delete_guard: remote files in scope" })),
  more_than_half: Type.Optional(Type.Boolean({ description: "delete_guard" })),
  missing_include_paths: Type.Optional(Type.Integer({ description: "delete_guard: include paths that are gone" })),
  restored: Type.Optional(
    Type.Array(Type.String(), { description: "A restore that failed: the files that were restored before" }),
  ),
  entry: Type.Optional(Type.String({ description: "archive_invalid: the entry of the archive" })),
  holder: Type.Optional(Type.String({ description: "run_in_progress: the machine that writes" })),
  since: Type.Optional(Type.String({ description: "run_in_progress: since when" })),
  until: Type.Optional(Type.String({ description: "run_in_progress: when its lease ends unless renewed" })),
  allow: Type.Optional(Type.Array(Type.String(), { description: "method_not_allowed: the methods that are" })),
});
