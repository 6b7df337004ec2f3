/** A value whose watchers are called when a field they watch changes. */
export interface Store<T> {
  get(): T;
  /** Replaces some fields. */
  set(change: Partial<T>): void;
  /** Calls show now and after any of the fields is replaced, at most once per task. */
  watch<K extends keyof T>(fields: readonly K[], show: (state: T) => void): void;
}

/** Creates a store with its initial value. */
export function createStore<T extends object>(initial: T): Store<T> {
  let state = initial;
  const watchers: { fields: readonly (keyof T)[]; show: (state: T) => void }[] = [];
  const changed = new Set<keyof T>();

  function flush(): void {
    const fields = new Set(changed);
    changed.clear();
    for (const watcher of watchers) {
      if (watcher.fields.some((field) => fields.has(field))) watcher.show(state);
    }
  }

  return {
    get: () => state,
    set(change) {
      const fields = (Object.keys(change) as (keyof T)[]).filter(
        (field) => state[field] !== change[field],
      );
      if (fields.length === 0) return;
      state = { ...state, ...change };
      if (changed.size === 0) queueMicrotask(flush);
      for (const field of fields) changed.add(field);
    },
    watch(fields, show) {
      watchers.push({ fields, show });
      show(state);
    },
  };
}
