/** Icons of Lucide by their names, which `vite-icons.ts` makes into components. */
declare module "icon:*" {
  import type { Component } from "svelte";

  const icon: Component<{ size: number; strokeWidth?: number }>;
  export default icon;
}
