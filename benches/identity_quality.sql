-- How good a reference is, against the truth: pairs and B-cubed. Variables of psql: reference (a schema), truth (a table of source, key, person).
WITH joined AS (
  SELECT r.customer_id AS found, t.person FROM :reference.record AS r JOIN :truth AS t USING (source, key)),
cell AS (SELECT found, person, count(*)::numeric AS n FROM joined GROUP BY found, person),
found AS (SELECT found, sum(n) AS n FROM cell GROUP BY found),
person AS (SELECT person, sum(n) AS n FROM cell GROUP BY person),
pairs AS (
  SELECT (SELECT sum(n * (n - 1) / 2) FROM cell) AS right_ones, (SELECT sum(n * (n - 1) / 2) FROM found) AS made,
         (SELECT sum(n * (n - 1) / 2) FROM person) AS there),
cubed AS (
  SELECT sum(c.n * c.n / f.n) / sum(c.n) AS precision, sum(c.n * c.n / p.n) / sum(c.n) AS recall
  FROM cell AS c JOIN found AS f USING (found) JOIN person AS p USING (person))
SELECT round(right_ones / made, 4) AS precision, round(right_ones / there, 4) AS recall, round(2 * right_ones / (made + there), 4) AS f1,
       round(c.precision, 4) AS b3_precision, round(c.recall, 4) AS b3_recall,
       round(2 * c.precision * c.recall / (c.precision + c.recall), 4) AS b3_f
FROM pairs, cubed AS c;
