// The daily report is whole as it comes from the server; this prints it.
import { $ } from "../common/dom.js";

$("#print").addEventListener("click", () => window.print());
