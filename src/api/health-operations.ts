import { HealthAnswerSchema } from "./health-answer.ts";
import { operation } from "./operation.ts";

export const getHealth = operation({
  id: "getHealth",
  method: "GET",
  path: "/api/health",
  tag: "server",
  open: true,
  summary: "That the server answers, and what it would let through",
  description:
    "Open to any origin's request (no page of another origin can read it); needs the token where there is one.",
  answer: HealthAnswerSchema,
  errors: [],
  examples: {
    answer: {
      status: "ok",
      version: "0.1.0",
      uptime_s: 86_400,
      features: {
        enable_cloud_sync: true,
        enable_cloud_sync_s3: true,
        enable_cloud_sync_gdrive: false,
        enable_cloud_sync_local: false,
      },
      vault: { present: true, unlocked: true },
    },
  },
});

export const getOpenApi = operation({
  id: "getOpenApi",
  method: "GET",
  path: "/openapi.json",
  tag: "server",
  open: true,
  summary: "This document",
  other: { status: 200, mediaType: "application/json", description: "OpenAPI 3.1" },
  errors: [],
  examples: {},
});

export const getDocs = operation({
  id: "getDocs",
  method: "GET",
  path: "/docs",
  tag: "server",
  open: true,
  summary: "The same for people",
  description: "One page without scripts that loads nothing, made from the document at /openapi.json.",
  other: { status: 200, mediaType: "text/html", description: "A page" },
  errors: [],
  examples: {},
});
