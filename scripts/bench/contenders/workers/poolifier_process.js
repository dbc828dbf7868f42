import { ClusterWorker } from "poolifier";
import * as tasks from "../tasks.js";

export default new ClusterWorker({ ...tasks });
