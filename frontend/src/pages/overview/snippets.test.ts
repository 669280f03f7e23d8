import { describe, expect, it } from "vitest";
import { snippetsOf } from "./snippets";

const info = { ingest_host: "127.0.0.1", ingest_port: 3000, keys_required: false };
const code = (change: Partial<typeof info>, page = "logs.example") =>
  snippetsOf({ ...info, ...change }, page)
    .map((one) => one.code)
    .join("\n");

describe("snippetsOf", () => {
  it("names the address where logs are taken", () => {
    expect(code({ ingest_port: 4360 })).toContain("curl http://127.0.0.1:4360/logs");
    expect(code({})).not.toContain("logs.example");
  });

  it("takes the page's own host where the server listens everywhere", () => {
    expect(code({ ingest_host: "0.0.0.0" })).toContain("http://logs.example:3000/logs");
    expect(code({ ingest_host: "::" }, "[::1]")).toContain("http://[::1]:3000/logs");
  });

  it("names the key's variable everywhere when keys are needed, and nowhere else", () => {
    expect(code({ keys_required: true }).match(/LOGSTREAM_API_KEY/g)).toHaveLength(4);
    expect(code({})).not.toContain("API_KEY");
  });
});
