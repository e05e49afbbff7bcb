// The one way to call the service: JSON in, JSON out, every failure an ApiError that a person can read.

import { h } from "./dom.js";

/** A refused or failed call. `code` is stable, `message` is for people, `remedy` says what to do. */
export class ApiError extends Error {
  constructor(status, body) {
    super(body.error ?? "The service answered in a way this page does not understand.");
    this.name = "ApiError";
    this.status = status;
    this.code = body.code ?? `http_${status}`;
    this.remedy = body.remedy ?? null;
    this.retryAfterMs = body.retryAfterMs ?? null;
    this.requestId = body.requestId ?? null;
    this.exportId = body.exportId ?? null;
    this.canFallback = body.canFallback === true;
    this.findings = Array.isArray(body.findings) ? body.findings : [];
  }

  /** True when the same request may well succeed later. */
  get passing() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

let signedOut = () => {};

/** Registers what to do when a call finds that nobody is signed in any more. */
export function onSignedOut(listener) {
  signedOut = listener;
}

/** Sends to `path` under /api; resolves to the Response of whatever was not refused. Throws ApiError. */
export async function send(method, path, { body, headers, signal } = {}) {
  const init = { method, headers: { Accept: "application/json", ...headers }, cache: "no-store", credentials: "same-origin", signal };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers["Content-Type"] = "application/json";
  }
  let response;
  try {
    response = await fetch(`/api/${path}`, init);
  } catch {
    throw new ApiError(0, {
      error: "The service could not be reached.",
      code: "unreachable",
      remedy: "Check your connection and try again.",
    });
  }
  if (response.ok || response.status === 304) return response;
  if (response.status === 401) signedOut();
  throw new ApiError(response.status, (await response.json().catch(() => null)) ?? {});
}

/** What a Response says: `{status, body, etag}`, `body` null for 304. Throws ApiError when it is not JSON. */
export async function answerOf(response) {
  const etag = response.headers.get("ETag");
  if (response.status === 304) return { status: 304, body: null, etag };
  const body = await response.json().catch(() => null);
  if (body === null) throw new ApiError(response.status, {});
  return { status: response.status, body, etag };
}

/** Calls `path` under /api; resolves to `{status, body, etag}`. Throws ApiError. */
export async function call(method, path, options) {
  return answerOf(await send(method, path, options));
}

export const get = async (path, options) => (await call("GET", path, options)).body;
export const post = async (path, body = {}, options = {}) => (await call("POST", path, { ...options, body })).body;
export const put = async (path, body) => (await call("PUT", path, { body })).body;
export const del = async (path) => (await call("DELETE", path)).body;

/** The error as it is shown: the sentence, the remedy, and small print to quote when asking for help. */
export function errorNotice(error) {
  if (!(error instanceof ApiError)) console.error(error);
  return h("div", { class: "notice notice-bad" },
    h("p", { class: "notice-sentence" }, error.message),
    error.remedy && h("p", null, error.remedy),
    error.retryAfterMs && h("p", null, `Try again in ${inWords(error.retryAfterMs)}.`),
    error.code && h("p", { class: "small-print" },
      "Code ", h("code", null, error.code),
      error.requestId && [" · request ", h("code", null, error.requestId)]));
}

function inWords(ms) {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 90) return `${seconds} ${seconds === 1 ? "second" : "seconds"}`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 90 ? `${minutes} minutes` : `${Math.round(minutes / 60)} hours`;
}
