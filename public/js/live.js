// A call whose answer may come live: progress as it happens, then the answer that `call` would have given.

import { ApiError, answerOf, send } from "./api.js";
import { readEvents } from "./events.js";

/**
 * Calls `path`; `onProgress(job)` hears of every step where the service streams. Resolves to `{status, body}`: 200 and
 * what became of every song, or 202 and what the export waits for. Throws ApiError, with the code `cut_off` when the
 * connection ended before the answer came; the export itself may well be going on.
 */
export async function callLive(method, path, { onProgress, headers, ...options }) {
  const response = await send(method, path, { ...options, headers: { Accept: "text/event-stream", ...headers } });
  if (!response.headers.get("Content-Type")?.startsWith("text/event-stream")) return answerOf(response);
  try {
    for await (const { type, data } of readEvents(response.body)) {
      const body = JSON.parse(data);
      if (type === "progress") onProgress(body);
      if (type === "finished") return { status: 200, body };
      if (type === "waiting") return { status: 202, body };
      if (type === "problem") throw new ApiError(body.status, body);
    }
  } catch (error) {
    if (error instanceof ApiError) throw error;
  }
  throw new ApiError(0, { error: "The connection was lost. The export goes on without it.", code: "cut_off" });
}
