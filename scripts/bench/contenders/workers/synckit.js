// The worker of synckit.

import { runAsWorker } from "synckit";
import * as tasks from "../tasks.js";

runAsWorker((task, arg) => tasks[task](arg));
