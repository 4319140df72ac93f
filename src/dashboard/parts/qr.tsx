/** A text as a QR code. */
import { qrCode } from "../qr-code.ts";

const quiet = 4;

export function Qr({ text, label }: { text: string; label: string }) {
  const grid = qrCode(text);
  const size = grid.length + 2 * quiet;
  // One path of runs: far smaller than a rectangle a module.
  const path = grid
    .flatMap((row, y) =>
      [
        ...row
          .map((dark) => (dark ? "1" : "0"))
          .join("")
          .matchAll(/1+/g),
      ].map((run) => `M${run.index + quiet} ${y + quiet}h${run[0].length}v1h-${run[0].length}z`),
    )
    .join("");
  return (
    <svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label} shape-rendering="crispEdges">
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
