import workerpool from "workerpool";
import * as tasks from "../tasks.js";

workerpool.worker({ ...tasks, giveBack: (bytes) => new workerpool.Transfer(bytes, [bytes.buffer]) });
