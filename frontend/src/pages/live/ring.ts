/** The newest `capacity` of whatever is pushed; memory does not grow once it is full. */
export interface Ring<T> {
  readonly capacity: number;
  readonly length: number;
  /** How many were pushed before the oldest that is still here. */
  readonly first: number;
  push(item: T): void;
  /** The `i`-th oldest. */
  at(i: number): T | undefined;
  /** Empty; `first` goes on counting. */
  clear(): void;
}

export function ring<T>(capacity: number): Ring<T> {
  const slots: (T | undefined)[] = [];
  let first = 0;
  let length = 0;
  return {
    capacity,
    get length() {
      return length;
    },
    get first() {
      return first;
    },
    push(item) {
      slots[(first + length) % capacity] = item;
      if (length < capacity) length += 1;
      else first += 1;
    },
    at: (i) => (i >= 0 && i < length ? slots[(first + i) % capacity] : undefined),
    clear() {
      // What is forgotten must not be kept alive by its slot.
      slots.length = 0;
      first += length;
      length = 0;
    },
  };
}
