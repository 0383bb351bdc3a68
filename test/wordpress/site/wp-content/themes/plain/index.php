<!DOCTYPE html><title><?php bloginfo('name'); ?></title>
<?php while (have_posts()) : the_post(); ?>
<article><h1><?php the_title(); ?></h1><?php the_content(); ?>
<ul><?php wp_list_comments([], get_comments(['post_id' => get_the_ID(), 'status' => 'approve'])); ?></ul></article>
<?php endwhile; ?>
<ul><?php wp_list_categories(); wp_list_pages(); ?></ul>
