/**
 * ISO 4217 active codes by exponent (digits after the point of the major unit), list of
 * 2024-06 with the amendments since. Tenants may define further ones.
 */
export const CURRENCIES_BY_EXPONENT: Readonly<Record<number, string>> = {
  0: 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF',
  2:
    'AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD ' +
    'CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP ' +
    'GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK ' +
    'LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO ' +
    'NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS ' +
    'SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST ' +
    'XCD XCG YER ZAR ZMW ZWG',
  3: 'BHD IQD JOD KWD LYD OMR TND',
  4: 'CLF UYW',
};

const EXPONENTS: ReadonlyMap<string, number> = new Map(
  Object.entries(CURRENCIES_BY_EXPONENT).flatMap(([exponent, codes]) =>
    codes.split(' ').map((code) => [code, Number.parseInt(exponent, 10)] as const),
  ),
);

/** What a currency code looks like, ISO or tenant-defined. */
export const CURRENCY_PATTERN = /^[A-Z][A-Z0-9]{2,9}$/;

/** True for an ISO 4217 code or one of the tenant's own. */
export function isKnownCurrency(code: string, tenantCurrencies: readonly string[]): boolean {
  return EXPONENTS.has(code) || tenantCurrencies.includes(code);
}

/** Digits after the point of the major unit; undefined for a currency that a tenant has defined. */
export function exponentOf(code: string): number | undefined {
  return EXPONENTS.get(code);
}
