/** Whether the pointer, or the focus, has stayed on something for a while. */
import { useEffect, useMemo, useState } from "react";

export function useLinger(after_ms: number) {
  const [over, setOver] = useState(false);
  const [on, setOn] = useState(false);
  useEffect(() => {
    if (!over) {
      setOn(false);
      return;
    }
    const later = setTimeout(() => setOn(true), after_ms);
    return () => clearTimeout(later);
  }, [over, after_ms]);
  const listeners = useMemo(
    () => ({
      onPointerEnter: () => setOver(true),
      onPointerLeave: () => setOver(false),
      onFocus: () => setOver(true),
      onBlur: () => setOver(false),
    }),
    [],
  );
  return { on, listeners };
}
