'use client';
import { load } from 'parallax-nn';
import { useEffect } from 'react';

async function train() {
  const plx = await load({ threads: 2 });
  const model = plx.model('mlp:2-8-1:tanh', { seed: 7 });
  const x = [
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ];
  const { loss } = await model.fit(x, [[0], [1], [1], [0]], {
    epochs: 50,
    optimizer: { kind: 'adam', rate: 0.05 },
  });
  const { tier, threads, downgrades } = await plx.ready();
  plx.dispose();
  return { tier, threads, downgrades, falls: loss.at(-1) < loss[0] };
}

export default function Page() {
  useEffect(() => {
    train().then(
      (value) => {
        window.outcome = { value };
      },
      (error) => {
        window.outcome = { error: String(error) };
      },
    );
  }, []);
  return <p>app</p>;
}
