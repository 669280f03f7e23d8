/** One of a few: buttons side by side that are radio buttons. */

interface ChoiceProps<T extends string> {
  readonly legend: string;
  readonly value: T;
  readonly onChange: (value: T) => void;
  readonly options: readonly (readonly [value: T, label: string])[];
}

export function Choice<T extends string>({ legend, value, onChange, options }: ChoiceProps<T>) {
  return (
    <fieldset className="inline-flex rounded-md border border-line">
      <legend className="sr-only">{legend}</legend>
      {options.map(([each, label]) => (
        <label
          key={each}
          className="relative cursor-pointer border-l border-line px-3 leading-8 first-of-type:border-l-0 hover:bg-raised has-checked:bg-selected has-focus-visible:outline-2 has-focus-visible:outline-accent first-of-type:rounded-l-[5px] last:rounded-r-[5px]"
        >
          <input
            type="radio"
            name={legend}
            checked={value === each}
            onChange={() => onChange(each)}
            className="sr-only"
          />
          {label}
        </label>
      ))}
    </fieldset>
  );
}
