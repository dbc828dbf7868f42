import "@concurrent/futures/worker";
import "./named_tasks.js";
