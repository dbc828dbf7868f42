import "@concurrent/futures/worker";
import "./tasks.js";
