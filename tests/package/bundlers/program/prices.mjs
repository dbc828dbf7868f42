export function withTax(price) {
  return price * 1.5;
}
