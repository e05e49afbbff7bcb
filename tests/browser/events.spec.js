// The parser of server-sent events, in the browser that it runs in.

import { expect } from "@playwright/test";

import { PATCHBAY, test } from "./page.js";

/** The events of `pieces`, as the parser gives them after each. */
async function parsed(page, pieces) {
  return page.evaluate(async (pieces) => {
    const { EventParser } = await import("/js/events.js");
    const parser = new EventParser();
    return pieces.map((piece) => parser.push(piece).map(({ type, data }) => `${type}=${data}`));
  }, pieces);
}

test.beforeEach(({ page }) => page.goto(PATCHBAY));

test("events are read whatever their lines end with", async ({ page }) => {
  for (const end of ["\n", "\r\n", "\r"]) {
    const text = ["event: progress", "data: 1", "", ": a comment", "data:two", "data: lines", "", "id: 7", "", "data", "", ""].join(end);
    expect(await parsed(page, [text])).toEqual([["progress=1", "message=two\nlines", "message="]]);
  }
});

test("an event may be cut anywhere", async ({ page }) => {
  const text = 'event: progress\r\ndata: {"title": "봄날"}\r\n\r\nevent: finished\r\ndata: {}\r\n\r\n';
  for (let at = 1; at < text.length; at += 1) {
    expect((await parsed(page, [text.slice(0, at), "", text.slice(at)])).flat(), `cut at ${at}`).toEqual(['progress={"title": "봄날"}', "finished={}"]);
  }
});

test("what is not finished by an empty line is no event", async ({ page }) => {
  expect(await parsed(page, ["event: finished\ndata: {}\n"])).toEqual([[]]);
});
