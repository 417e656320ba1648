# rfm_score, against what people write: three ntile(5), each with a sort of its own.

columns='SELECT customer_id, rfm_score(recency, frequency, monetary) OVER () FROM facts'
columns_ntile='
  SELECT customer_id, ntile(5) OVER (ORDER BY recency DESC), ntile(5) OVER (ORDER BY frequency), ntile(5) OVER (ORDER BY monetary)
  FROM facts'
histories="SELECT customer_id, rfm_score(history, '$AS_OF') OVER () FROM histories"
histories_ntile="
  SELECT customer_id, ntile(5) OVER (ORDER BY recency(history, '$AS_OF') DESC),
         ntile(5) OVER (ORDER BY frequency(history, '$AS_OF')), ntile(5) OVER (ORDER BY monetary(history, '$AS_OF'))
  FROM histories"
spill="SET work_mem = '4MB'"

race '`rfm_score` of columns' 'three ntile(5)' 0.5 "$columns" "$columns_ntile"
race '`rfm_score` of columns, work_mem 4 MB' 'three ntile(5)' 0.5 "$columns" "$columns_ntile" "$spill"
race '`rfm_score` of histories' 'three ntile(5) of the accessors' - "$histories" "$histories_ntile"
race '`rfm_score` of histories, work_mem 4 MB' 'three ntile(5) of the accessors' - "$histories" "$histories_ntile" "$spill"
