import type { Plan } from './plan.ts';
import { sameShape } from './tensor.ts';

// Each plan holds a packed copy of the weight: enough for a few image sizes, not for every size of a folder.
const CAPACITY = 8;

/** The plans of a layer for the input shapes that it saw last. */
export class PlanCache {
  // The most recently used first.
  #plans: Plan[] = [];

  /** The plan for a shape, made by `create` where there is none yet. */
  get(inputShape: readonly number[], create: () => Plan): Plan {
    const plans = this.#plans;
    const first = plans[0];
    if (first !== undefined && sameShape(first.inputShape, inputShape)) return first;
    const index = plans.findIndex((plan) => sameShape(plan.inputShape, inputShape));
    const plan = index < 0 ? create() : (plans.splice(index, 1)[0] as Plan);
    if (plans.length >= CAPACITY) plans.pop();
    plans.unshift(plan);
    return plan;
  }

  /** Forgets all plans, after the weight changed. */
  clear(): void {
    this.#plans = [];
  }
}
