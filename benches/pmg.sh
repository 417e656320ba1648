# pmg_bucket, against the quickest SQL that gives such classes.

cumulative="SELECT customer_id, pmg_bucket(monetary, 'cumulative') OVER () FROM facts"
# ROWS and one product a limit: quicker than the default frame and a division a row.
running_sum="
  SELECT customer_id, CASE WHEN running <= 0.80 * total THEN 'G' WHEN running <= 0.95 * total THEN 'M' ELSE 'P' END
  FROM (SELECT customer_id, sum(monetary) OVER (ORDER BY monetary DESC ROWS UNBOUNDED PRECEDING) AS running,
               (SELECT sum(monetary) FROM facts) AS total
        FROM facts) AS s"
by_rank='SELECT customer_id, pmg_bucket(monetary) OVER () FROM facts'
rank="
  SELECT customer_id, CASE WHEN place <= 0.05 * n THEN 'G' WHEN place <= 0.20 * n THEN 'M' ELSE 'P' END
  FROM (SELECT customer_id, rank() OVER (ORDER BY monetary DESC) AS place, (SELECT count(*) FROM facts) AS n
        FROM facts) AS s"
spill="SET work_mem = '4MB'"

race '`pmg_bucket` cumulative' 'running sum over total' 0.6 "$cumulative" "$running_sum"
race '`pmg_bucket` cumulative, work_mem 4 MB' 'running sum over total' 0.6 "$cumulative" "$running_sum" "$spill"
race '`pmg_bucket` by rank' 'rank over count' - "$by_rank" "$rank"
