select {{ build_id() }} as build_id, {{ segmented_at() }} as segmented_at
